"""`infojax curve --preset`: the settings of figures. Options given beside a preset count instead of its own."""

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # Deliberate Practice (arXiv 2502.15588); d is the paper's, pruner and ridge are not stated in Figs. 3 and 5c
    "practice-figure3": {
        "law": "ridge", "over": "ratio", "hold": "kept", "rules": ("hard",), "curves": "kept=0.1,0.5,0.8,0.9,1",
        "start": 0.4, "stop": 1.0, "ridge": 1e-2, "pruner": 1.0, "quantity": "accuracy", "dimension": 512,
    },
    "practice-figure5c": {
        "law": "ridge", "over": "kept", "hold": "kept", "rules": ("hard",), "curves": "pruner=1,0.9,0.8",
        "start": 1 / 18, "stop": 1.0, "scale": "log", "ratio": 0.25, "ridge": 1e-2, "quantity": "accuracy",
        "dimension": 256,
    },
    "practice-figure7": {
        "law": "ridge", "over": "kept", "rules": ("hard", "easy"), "curves": "ridge=1e-6,1e-2", "ratio": 350 / 600,
        "pruner": 1.0, "dimension": 350,
    },
    # d = 200, 500 + 5 × 300 examples: the setting of the figure practice_linear
    "practice-linear": {
        "law": "practice", "over": "rounds", "rules": ("hard", "all"), "curves": "kept=0.5,0.2,0.05", "start": 0.0,
        "stop": 5.0,
    },
    # Why Less is More (arXiv 2511.03492), its claim on few and many examples; the sizes per dimension are ours
    "less-is-more": {
        "law": "ridge", "over": "kept", "rules": ("hard", "easy", "random"), "curves": "ratio=2,0.04",
        "start": 0.05, "ridge": 1e-2, "pruner": 1.0, "dimension": 100,
    },
    "collapse": {
        "law": "relabelling", "over": "generations", "rules": ("all", "hard"), "curves": "label_aware=no,yes",
        "pruner": 0.9,
    },
    # Sorscher et al. (arXiv 2206.14486)
    "sorscher-figure1": {
        "law": "perceptron", "over": "alpha", "rules": ("hard",), "curves": "kept=1,0.5,0.2,0.1", "angle": 0.0,
    },
    "sorscher-cliff": {
        "law": "perceptron", "over": "kept", "hold": "kept", "rules": ("hard",), "curves": "alpha=1.5,2,2.5",
        "start": 1e-3, "stop": 1.0, "scale": "log",
    },
    # Feng et al. (arXiv 2406.07515): the error jumps at ε = 1/(1 + ψ/φ) where examples abound
    "feng-breakdown": {
        "law": "mixture", "over": "flips", "curves": "keep_wrong=0.8,0.4,0.1", "keep_correct": 0.8,
        "ratio": 0.02, "real_fraction": 0.0, "start": 0.0, "stop": 1.0, "dimension": 100,
    },
}  # fmt: skip
