"""`python -m bps.cli`."""

from bps.cli.main import main

main()
