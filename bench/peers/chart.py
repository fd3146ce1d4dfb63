"""Bar charts as SVG."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

_ROW, _BAR, _LABELS, _WIDTH = 22, 14, 300, 860
_OWN, _PEER = "#1f6feb", "#8c959f"
_STYLE: Final = "font-family='system-ui, sans-serif' font-size='13' fill='#1f2328'"


class Bar(NamedTuple):
    """A value, and whether it is this project's."""

    label: str
    value: float
    is_own: bool


def bar_chart(panels: Mapping[str, Sequence[Bar]]) -> str:
    """Return an SVG with a panel for each title, its bars sorted, the largest first."""
    parts: list[str] = []
    top = 10
    for title, bars in panels.items():
        most = max((bar.value for bar in bars), default=1) or 1
        parts.append(f"<text x='10' y='{top + 16}' font-weight='bold'>{escape(title)}</text>")
        top += 28
        for bar in sorted(bars, key=lambda bar: -bar.value):
            length = (_WIDTH - _LABELS - 80) * bar.value / most
            color = _OWN if bar.is_own else _PEER
            middle, edge = top + _ROW / 2 + 4, top + (_ROW - _BAR) // 2
            parts += [
                f"<text x='{_LABELS - 8}' y='{middle:.0f}' text-anchor='end'>{escape(bar.label)}</text>",
                f"<rect x='{_LABELS}' y='{edge}' width='{length:.1f}' height='{_BAR}' fill='{color}'/>",
                f"<text x='{_LABELS + length + 6:.1f}' y='{middle:.0f}'>{bar.value:.3g}</text>",
            ]
            top += _ROW
        top += 12
    lines = "\n".join(parts)
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {top}' {_STYLE}>\n"
        f"<rect width='100%' height='100%' fill='#ffffff'/>\n{lines}\n</svg>\n"
    )
