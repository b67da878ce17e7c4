"""One command behind a private proxy: secondhand run."""
