"""Public functions with good arguments, each of which is then replaced by worse ones."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import infojax as ij
from infojax import generation, information, kernels, linearized, models, scaling, training
from infojax.data import Dataset
from infojax.scaling import keep_all, keep_easy, keep_hard, keep_random, soft

KEY = jax.random.key(0)
RANDOM = np.random.default_rng(0)
J = RANDOM.normal(size=(6, 12))
KERNEL = J @ J.T / 12
CROSS = RANDOM.normal(size=(4, 12)) @ J.T / 12
RESIDUAL = RANDOM.normal(size=6)
TARGETS = RANDOM.normal(size=(6, 2))
POINTS = RANDOM.normal(size=(6, 3)).astype(np.float32)
LABELS = np.array([0, 1, 2, 0, 1, 2])
DESCENT = linearized.GradientDescent(50, 0.1)
DECAYED = linearized.GradientDescent(50, 0.1, decay=0.1)


@dataclasses.dataclass(frozen=True)
class Call:
    """A function and arguments by name that it takes."""

    function: Callable[..., Any]
    good: dict[str, Any]
    # Arguments that are left as they are: replacing them is another program to compile, or no question of values.
    kept: tuple[str, ...] = ()

    def names(self) -> list[str]:
        return [name for name in self.good if name not in self.kept and name != "key"]


def train() -> Dataset:
    return Dataset(x=POINTS, y=LABELS, classes=("a", "b", "c"), name="own")


@functools.cache
def network() -> tuple[models.Network, Any]:
    made = models.mlp(hidden=(4,), outputs=3)
    return made, made.init(KEY, (3,))


@functools.cache
def mixture() -> generation.Mixture:
    return generation.gaussian_mixture([1, 1], [[0.0, 0.0], [3.0, 0.0]], [0.2, 1.0], [0, 1])


@functools.cache
def learner() -> training.Learner:
    made = models.mlp(hidden=(), outputs=2)
    return training.Learner(made, made.init(KEY, (2,)))


RIDGE = {"pruner": 0.9, "ratio": 0.2, "ridge": 0.01}
KERNELS = {"train_kernel": KERNEL, "validation_kernel": CROSS, "residual": RESIDUAL, "training": DECAYED}
CURVE = {
    "pool_kernel": KERNEL,
    "test_kernel": CROSS,
    "targets": RESIDUAL,
    "test_targets": RESIDUAL[:4],
    "sizes": np.array([1, 3, 6]),
    "ridge": 0.1,
}
MIXTURE_LAW = {
    "ratio": 0.2,
    "signal": 1.0,
    "flips": 0.1,
    "keep_correct": 0.8,
    "keep_wrong": 0.2,
    "real_fraction": 0.5,
    "ridge": 0.01,
}
ANISOTROPIC = {"spectrum": np.ones(4), "truth": np.arange(1.0, 5.0), "pruner": np.ones(4), "ridge": 0.1}


def of_problem(function: Callable[..., Any], problem: type) -> Callable[..., Any]:
    """The function as one of the problem's numbers, and of sizes."""

    def call(**given: Any) -> Any:
        sizes = {name: given.pop(name) for name in ("dimension", "repeats", "key") if name in given}
        return function(problem(**given), **sizes)

    return call


def laws() -> dict[str, Call]:
    hard = {"selection": keep_hard(0.3)}
    return {
        "keep_hard": Call(lambda p: scaling.ridge_law(scaling.RidgeProblem(keep_hard(p), **RIDGE)), {"p": 0.3}),
        "keep_easy": Call(lambda p: scaling.ridge_law(scaling.RidgeProblem(keep_easy(p), **RIDGE)), {"p": 0.3}),
        "keep_random": Call(lambda p: scaling.ridge_law(scaling.RidgeProblem(keep_random(p), **RIDGE)), {"p": 0.3}),
        "soft": Call(
            lambda p, strength: scaling.ridge_law(scaling.RidgeProblem(soft(p, strength), **RIDGE)),
            {"p": 0.3, "strength": 1.0},
        ),
        "ridge_law": Call(
            of_problem(scaling.ridge_law, scaling.RidgeProblem),
            {**hard, **RIDGE, "generator": 0.9, "pruner_generator": 0.8, "flips": 0.1},
            ("selection",),
        ),
        "ridge_law linear": Call(
            of_problem(scaling.ridge_law, scaling.RidgeProblem),
            {"selection": keep_all(), **RIDGE, "labels": "linear", "noise": 0.1},
            ("selection",),
        ),
        "perceptron_law": Call(
            of_problem(scaling.perceptron_law, scaling.PerceptronProblem),
            {**hard, "alpha": 2.0, "angle": 5.0},
            ("selection",),
        ),
        "mixture_law": Call(of_problem(scaling.mixture_law, scaling.MixtureProblem), MIXTURE_LAW),
        "practice_law": Call(
            of_problem(scaling.practice_law, scaling.PracticeProblem),
            {**hard, "first_ratio": 0.4, "added_ratio": 0.6, "rounds": 2, "ridge": 0.05},
            ("selection",),
        ),
        "two_stage_law": Call(
            of_problem(scaling.two_stage_law, scaling.TwoStageProblem),
            {**hard, "first_ratio": 0.3, "second_ratio": 0.3, "ridge": 0.05},
            ("selection",),
        ),
        "relabelling_law": Call(
            of_problem(scaling.relabelling_law, scaling.RelabellingProblem),
            {**hard, **RIDGE, "generations": 2, "flips": 0.1},
            ("selection",),
        ),
        "anisotropic_law": Call(scaling.anisotropic_law, {**hard, **ANISOTROPIC, "samples": 20}, ("selection",)),
        "power_spectrum": Call(scaling.power_spectrum, {"dimension": 5, "exponent": 1.5}),
        "fit_power_law": Call(
            scaling.fit_power_law,
            {
                "sizes": np.array([10.0, 100.0, 1000.0, 5000.0]),
                "errors": np.array([0.2, 0.03, 0.002, 0.001]),
                "stderr": np.array([0.02, 0.002, 0.0002, 0.0001]),
                "draws": 100,
                "level": 0.9,
                "seed": 0,
            },
        ),
        "kernel_curve": Call(scaling.kernel_curve, CURVE),
        "pointwise_kernel_curve": Call(scaling.pointwise_kernel_curve, CURVE),
    }


def simulations() -> dict[str, Call]:
    hard = {"selection": keep_hard(0.5)}
    small = {"repeats": 2, "key": KEY}
    return {
        "simulate_ridge": Call(
            of_problem(scaling.simulate_ridge, scaling.RidgeProblem),
            {**hard, **RIDGE, "dimension": 4, **small},
            ("selection",),
        ),
        "simulate_mixture": Call(
            of_problem(scaling.simulate_mixture, scaling.MixtureProblem), {**MIXTURE_LAW, "dimension": 4, **small}
        ),
        "simulate_perceptron": Call(
            of_problem(scaling.simulate_perceptron, scaling.PerceptronProblem),
            {**hard, "alpha": 2.0, "dimension": 4, **small},
            ("selection",),
        ),
        "simulate_kernel_curve": Call(scaling.simulate_kernel_curve, {**CURVE, **small}),
        "simulate_practice": Call(
            of_problem(scaling.simulate_practice, scaling.PracticeProblem),
            {**hard, "dimension": 4, "first_ratio": 0.5, "added_ratio": 0.5, "rounds": 1, "ridge": 0.1, **small},
            ("selection",),
        ),
        "simulate_relabelling": Call(
            of_problem(scaling.simulate_relabelling, scaling.RelabellingProblem),
            {**hard, **RIDGE, "generations": 1, "dimension": 4, **small},
            ("selection",),
        ),
        "simulate_two_stage": Call(
            of_problem(scaling.simulate_two_stage, scaling.TwoStageProblem),
            {**hard, "first_ratio": 0.5, "second_ratio": 0.5, "ridge": 0.1, "dimension": 4, **small},
            ("selection",),
        ),
        "simulate_anisotropic": Call(
            scaling.simulate_anisotropic, {**hard, **ANISOTROPIC, "samples": 8, **small}, ("selection",)
        ),
    }


def of_kernels() -> dict[str, Call]:
    groups = {"groups": np.array([0, 0, 1, 1, 2, 2])}
    return {
        "GradientDescent": Call(linearized.GradientDescent, {"steps": 5, "learning_rate": 0.1, "decay": 0.1}),
        "GradientFlow": Call(linearized.GradientFlow, {"time": 5.0, "learning_rate": 0.1, "decay": 0.1}),
        "spectrum": Call(linearized.spectrum, {"kernel": KERNEL, "rtol": 1e-10}),
        "coefficients": Call(
            lambda kernel, residual, decay: linearized.coefficients(
                linearized.linearize_kernels(kernel, None, residual), dataclasses.replace(DESCENT, decay=decay)
            ),
            {"kernel": KERNEL, "residual": RESIDUAL, "decay": 0.1},
        ),
        "from_kernels": Call(information.from_kernels, {**KERNELS, "sigma": 1.0, "outputs": 1}),
        "from_kernels groups": Call(information.from_kernels, {**KERNELS, **groups}),
        "influence_from_kernels": Call(information.influence_from_kernels, {**KERNELS, "damping": 0.0}),
        "sgd_from_kernel": Call(
            information.sgd_from_kernel,
            {
                "train_kernel": KERNEL,
                "residual": RESIDUAL,
                "batch": 2,
                "training": linearized.Converged(0.3),
                "learning_rate": 0.1,
                "ridge": 0.01,
            },
        ),
        "ensemble_from_kernels": Call(
            information.ensemble_from_kernels,
            {
                "train_kernel": KERNEL,
                "validation_kernel": CROSS,
                "targets": TARGETS,
                "nngp": KERNEL / 2,
                "cross_nngp": CROSS / 2,
                "validation_nngp": np.eye(4),
                "training": DECAYED,
                "jitter": 1e-6,
            },
        ),
        "contrast": Call(information.contrast, {"first": np.array([2.0, 4.0, 6.0]), "second": np.array([1.0, 2.0])}),
    }


def of_networks() -> dict[str, Call]:
    def given(function: Callable[..., Any], **more: Any) -> Call:
        made, params = network()
        return Call(functools.partial(function, made, params), more)

    def dataset(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda x, y: function(Dataset(x=x, y=y, classes=("a", "b", "c"), name="own"))

    return {
        "empirical_ntk": given(kernels.empirical_ntk, x1=POINTS, x2=POINTS[:2], budget=2**30, tile=4),
        "random_coordinate_ntk": Call(
            functools.partial(kernels.random_coordinate_ntk, *network(), key=KEY), {"x1": POINTS, "coordinates": 5}
        ),
        "unique_information": given(
            information.unique_information,
            train=train(),
            validation=train(),
            training=DECAYED,
            sigma=1.0,
            budget=2**30,
        ),
        "influence_information": given(
            information.influence_information,
            train=train(),
            validation=train(),
            training=DECAYED,
            damping=0.1,
            sigma=1.0,
        ),
        "influence": given(information.influence, train=train(), queries=train(), damping=0.1, training=DECAYED),
        "sgd_information": given(information.sgd_information, train=train(), batch=2, training=DECAYED, ridge=0.01),
        "retrain_without_each": given(
            information.retrain_without_each,
            train=train(),
            validation=train(),
            training=linearized.GradientDescent(2, 0.1, decay=0.1),
            sigma=1.0,
        ),
        "Dataset": Call(dataset(lambda made: made), {"x": POINTS, "y": LABELS}),
        "unique_information of": Call(
            dataset(lambda made: ij.unique_information(*network(), made, train(), training=DESCENT)),
            {"x": POINTS, "y": LABELS},
        ),
        "Dataset.take": Call(lambda n, seed: train().take(n, seed), {"n": 3, "seed": 0}),
        "Dataset.split": Call(lambda n, m, seed: train().split(n, m, seed=seed), {"n": 3, "m": 2, "seed": 0}),
        "Dataset.normalised": Call(lambda mean, std: train().normalised(mean, std), {"mean": 0.5, "std": 0.2}),
        "symmetric_noise": Call(ij.data.symmetric_noise, {"dataset": train(), "rate": 0.5, "seed": 0}),
        "asymmetric_noise": Call(
            ij.data.asymmetric_noise, {"dataset": train(), "mapping": {"a": "b"}, "rate": 0.5, "seed": 0}
        ),
        "over_photographs": Call(
            lambda x, seed: ij.data.over_photographs(Dataset(x, LABELS, ("a", "b", "c")), seed=seed),
            {"x": np.abs(RANDOM.normal(size=(6, 8, 8, 1))).clip(0, 1).astype(np.float32), "seed": 0},
        ),
        "mlp": Call(
            lambda hidden, outputs: models.mlp((hidden,), outputs).init(KEY, (3,)), {"hidden": 4, "outputs": 2}
        ),
        "fgsm": given(models.fgsm, x=jnp.asarray(POINTS), targets=jnp.eye(3)[LABELS], radius=0.1, low=-5.0, high=5.0),
        "pgd": given(
            models.pgd, x=jnp.asarray(POINTS), targets=jnp.eye(3)[LABELS], radius=0.1, steps=2, low=-5.0, high=5.0
        ),
    }


def of_generation() -> dict[str, Call]:
    plane = POINTS[:, :2]
    normal = generation.from_score(lambda x, t, label: -x, shape=(2,), classes=2, schedule=generation.cosine())
    half = LABELS % 2
    return {
        "cosine": Call(
            lambda lowest, highest: generation.cosine(lowest, highest).signal(np.array([0.0, 0.5, 1.0])),
            {"lowest": -9.0, "highest": 9.0},
        ),
        "linear": Call(
            lambda slowest, fastest: generation.linear(slowest, fastest).signal(np.array([0.0, 0.5, 1.0])),
            {"slowest": 0.1, "fastest": 20.0},
        ),
        "tabulated": Call(
            lambda signal: generation.tabulated(signal).signal(np.array([0.0, 0.5])),
            {"signal": np.array([0.9, 0.5, 0.1])},
        ),
        "gaussian_mixture": Call(
            generation.gaussian_mixture,
            {
                "weights": np.ones(2),
                "means": np.eye(2),
                "covariances": np.array([0.2, 1.0]),
                "labels": np.array([0, 1]),
            },
        ),
        "empirical": Call(generation.empirical, {"x": plane, "y": LABELS, "bandwidth": 0.1}),
        "diversity": Call(generation.diversity, {"x": plane, "bandwidth": 1.0, "tile": 4}),
        "squared_mmd": Call(generation.squared_mmd, {"x": plane, "y": plane[:3], "bandwidth": 1.0, "tile": 4}),
        "to_pixels": Call(generation.to_pixels, {"x": plane}),
        "from_pixels": Call(generation.from_pixels, {"x": np.abs(plane) / 9}),
        "mean_entropy": Call(functools.partial(generation.mean_entropy, learner()), {"x": plane}),
        "sample": Call(
            functools.partial(generation.sample, normal, key=KEY),
            {"labels": half, "steps": 3, "class_guidance": 0.0, "tile": 4},
        ),
        "sample_exactly": Call(functools.partial(generation.sample_exactly, mixture(), key=KEY), {"labels": half}),
        "ddim": Call(
            lambda eta: generation.sample(normal, half, key=KEY, steps=2, sampler=generation.ddim(eta)), {"eta": 0.5}
        ),
        "sample_by_smc": Call(
            functools.partial(generation.sample_by_smc, normal, key=KEY),
            {
                "labels": half,
                "learner": learner(),
                "strength": 1.0,
                "steps": 3,
                "eta": 1.0,
                "threshold": 0.5,
                "tile": 6,
            },
        ),
        "plug_in": Call(
            lambda strength: generation.sample(
                normal, half, key=KEY, steps=2, guidance=generation.plug_in(learner(), strength)
            ),
            {"strength": 1.0},
        ),
        "tilted": Call(functools.partial(generation.tilted, mixture(), learner()), {"strength": 1.0}),
        "exact_tilt": Call(
            functools.partial(generation.exact_tilt, mixture(), learner()), {"strength": 1.0, "cells": 4, "refine": 2}
        ),
        "train_denoiser": Call(
            functools.partial(
                generation.train_denoiser, network=generation.ResidualMLP(4, 1), schedule=generation.cosine(), key=KEY
            ),
            {
                "x": plane,
                "y": half,
                "classes": 2,
                "steps": 2,
                "batch": 4,
                "learning_rate": 0.01,
                "weight_decay": 0.1,
                "drop_label": 0.1,
                "averaging": 0.9,
            },
        ),
    }
