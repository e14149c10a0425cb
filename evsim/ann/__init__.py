"""Artificial networks beside spiking ones: conversion of trained networks, and what both cost."""
