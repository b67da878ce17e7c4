"""The page of `secondhand report`: what it says, and how it looks."""
