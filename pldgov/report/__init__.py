"""Reports: one pure function a file and output format, from a frozen value to text."""
