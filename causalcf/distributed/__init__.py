"""Work shared by several processes, as torchrun starts them; with one process it changes nothing."""
