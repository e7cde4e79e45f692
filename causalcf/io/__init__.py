"""Files and text from outside: read within bounds, written whole, shown harmlessly."""
