"""The laws with their problems: from it the command line, comparisons and tests are made."""
