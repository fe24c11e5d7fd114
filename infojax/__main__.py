"""`python -m infojax`: the command line."""

from infojax.cli import main

if __name__ == "__main__":
    main()
