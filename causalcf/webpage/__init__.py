"""A run as one HTML file that answers questions in a browser: its contents, and the page's own code in assets/."""
