"""From CIFAR-100's archive to a dataset of three splits."""
