"""Render the chart with Helm's own code: JSON of values and options in, JSON of files out.

A process of its own, because that code is written in Go, whose threads would stay in the process of the tests.
"""

import json
import sys

from helm_python import HelmError, _native
from helm_python.chart import Chart


def main(chart_folder: str) -> None:
    """Render the chart in *chart_folder*."""
    values, options = json.load(sys.stdin)
    # `Chart.render` does not pass the versions, but the library that it calls takes them.
    with Chart.load(chart_folder) as chart:
        try:
            rendered = _native.call_string("helm_render", chart._raw(), json.dumps(values), json.dumps(options))
        except HelmError as error:
            sys.exit(str(error))
    sys.stdout.write(rendered)


if __name__ == "__main__":
    main(sys.argv[1])
