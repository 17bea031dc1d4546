"""The command line: an edge. Data on stdout, progress on stderr, exit codes 0/1/2/3/75."""
