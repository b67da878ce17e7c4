"""Does what is installed here go through the cache: proved with the programs themselves."""
