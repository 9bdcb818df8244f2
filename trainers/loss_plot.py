"""The losses of a run as a picture: training as a line, validation as dots, the kept step marked.

Trainer's log ─▶ SVG text
"""

from collections.abc import Mapping, Sequence
from typing import Any

_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 320, 52, 16, 24, 40


def loss_plot(history: Sequence[Mapping[str, Any]], best_step: int) -> str:
    """Draw the losses over the steps; the text needs no other file and runs no script."""
    train = [(int(entry["step"]), float(entry["loss"])) for entry in history if "loss" in entry]
    validation = [(int(entry["step"]), float(entry["eval_loss"])) for entry in history if "eval_loss" in entry]
    points = [*train, *validation] or [(0, 0.0)]
    steps = max(max(step for step, _ in points), 1)
    highest = max(max(loss for _, loss in points), 1e-6)

    def place(step: int, loss: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - _RIGHT) * step / steps
        return round(across, 1), round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - loss / highest), 1)

    parts = [_axis(place(0, 0)[1], highest, steps)]
    if train:
        line = " ".join(f"{x},{y}" for x, y in (place(*point) for point in train))
        parts.append(f'<polyline fill="none" stroke="#8aa2c8" stroke-width="1.5" points="{line}"/>')
    for step, loss in validation:
        x, y = place(step, loss)
        fill = "#c2410c" if step == best_step else "#fff"
        parts.append(
            f'<circle cx="{x}" cy="{y}" r="4" fill="{fill}" stroke="#c2410c" stroke-width="1.5">'
            f"<title>step {step}: validation {loss:.4f}</title></circle>"
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" '
        f'font-size="12" role="img" aria-label="training and validation loss">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _axis(bottom: float, highest: float, steps: int) -> str:
    right = _WIDTH - _RIGHT
    marks = "".join(
        f'<text x="{_LEFT - 6}" y="{_TOP + (bottom - _TOP) * (1 - share) + 4:.0f}" text-anchor="end">'
        f"{highest * share:.2f}</text>"
        for share in (0, 0.5, 1)
    )
    return (
        f'<path d="M{_LEFT},{_TOP} V{bottom} H{right}" fill="none" stroke="#444"/>{marks}'
        f'<text x="{right}" y="{_HEIGHT - 20}" text-anchor="end">step {steps}</text>'
        f'<text x="{_LEFT}" y="15">loss: line training, dots validation, filled dot kept</text>'
    )
