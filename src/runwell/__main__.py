"""`python -m runwell` is `runwell`."""

from runwell.cli.main import main

main()
