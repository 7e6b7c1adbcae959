"""Trains the stand-in's network: the optimizers and schedule that the hyperparameters name, in NumPy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from localcloud.sagemaker.model import Floats, softmax

HIDDEN = 64


class Trainer:
    """One hidden layer of `HIDDEN` rectified units, trained by minibatches on the cross-entropy."""

    def __init__(self, inputs: int, classes: int, hyperparameters: Mapping[str, str], seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.weights = [
            rng.normal(0, np.sqrt(2 / inputs), (inputs, HIDDEN)),
            rng.normal(0, np.sqrt(2 / HIDDEN), (HIDDEN, classes)),
        ]
        self.biases = [np.zeros(HIDDEN), np.zeros(classes)]
        self.optimizer = hyperparameters["optimizer"]
        # the rates that people choose are made for a deep network, small ones for one that is pretrained
        factor = 10 if hyperparameters.get("use_pretrained_model") == "1" else 0.1
        self.rate = float(hyperparameters["learning_rate"]) * (factor if self.optimizer in ("sgd", "nag") else 1)
        self.momentum = float(hyperparameters.get("momentum", 0.9))
        self.decay = float(hyperparameters.get("weight_decay", 1e-4))
        self.beta_1 = float(hyperparameters.get("beta_1", 0.9))
        self.beta_2 = float(hyperparameters.get("beta_2", 0.999))
        self.eps = float(hyperparameters.get("eps", 1e-8))
        self.gamma = float(hyperparameters.get("gamma", 0.9))
        self.step = 0
        self.first = [np.zeros_like(values) for values in self._parameters()]
        self.second = [np.zeros_like(values) for values in self._parameters()]

    def _parameters(self) -> list[Floats]:
        return [*self.weights, *self.biases]

    def batch(self, rows: Floats, labels: NDArray[np.int64]) -> int:
        """Learn from one batch of standardized features.

        Returns:
            How many of its images were right before.
        """
        hidden = np.maximum(rows @ self.weights[0] + self.biases[0], 0)
        probabilities = softmax(hidden @ self.weights[1] + self.biases[1])
        right = int((probabilities.argmax(axis=1) == labels).sum())
        probabilities[np.arange(len(labels)), labels] -= 1
        error = probabilities / len(labels)
        back = (error @ self.weights[1].T) * (hidden > 0)
        gradients = [rows.T @ back, hidden.T @ error, back.sum(axis=0), error.sum(axis=0)]
        # weights shrink, biases do not
        for index, weight in enumerate(self.weights):
            gradients[index] += self.decay * weight
        self.step += 1
        for index, (values, gradient) in enumerate(zip(self._parameters(), gradients, strict=True)):
            values -= self._change(index, gradient)
        return right

    def _change(self, index: int, gradient: Floats) -> Floats:
        first, second = self.first[index], self.second[index]
        if self.optimizer in ("sgd", "nag"):
            first *= self.momentum
            first += gradient
            return self.rate * (gradient + self.momentum * first if self.optimizer == "nag" else first)
        if self.optimizer == "rmsprop":
            second *= self.gamma
            second += (1 - self.gamma) * gradient**2
            return self.rate * gradient / (np.sqrt(second) + self.eps)
        first *= self.beta_1
        first += (1 - self.beta_1) * gradient
        second *= self.beta_2
        second += (1 - self.beta_2) * gradient**2
        unbiased = first / (1 - self.beta_1**self.step)
        return self.rate * unbiased / (np.sqrt(second / (1 - self.beta_2**self.step)) + self.eps)

    def snapshot(self) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
        """Copies of the weights and biases as they are now."""
        return tuple(map(np.copy, self.weights)), tuple(map(np.copy, self.biases))

    def logits(self, rows: Floats) -> Floats:
        """Scores of standardized features."""
        return np.maximum(rows @ self.weights[0] + self.biases[0], 0) @ self.weights[1] + self.biases[1]
