"""From a CIFAR-100 archive to a dataset, a training job's recipe, and a threshold with evidence."""
