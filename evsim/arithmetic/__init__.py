"""The numbers of the chips as functions of plain integers, compiled by numba."""
