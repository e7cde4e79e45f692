"""What all command lines share: the parser, the exit codes, several processes."""
