"""SageMaker on this machine: moto's control plane, and trainings, endpoints and captures that are real."""
