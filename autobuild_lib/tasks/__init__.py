"""Small real tasks: each has a search space, data, and labels that this project trains and measures itself."""
