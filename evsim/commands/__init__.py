"""The commands of ``evsim``, one file each."""
