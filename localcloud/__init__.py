"""The whole system on this machine: the unmodified program on emulators, with no AWS account."""
