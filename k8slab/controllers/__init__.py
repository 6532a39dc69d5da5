"""The control loops of the control plane."""
