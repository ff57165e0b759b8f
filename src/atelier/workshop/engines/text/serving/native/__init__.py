"""The network in C: one step moves many texts on, each with its own adapter, each as if it were alone."""
