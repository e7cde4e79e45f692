"""One question answered: exactly by the label model, and by what the images show."""
