"""A drawn archive in CIFAR-100's format, for machines that cannot download the real one."""
