"""Work by several processes, as torchrun starts them; with one process every function here changes nothing."""
