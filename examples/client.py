"""Convert a photograph, keep its source, and get a preview: `python examples/client.py SERVER KEY FILE`."""

import sys
from pathlib import Path

from services.client import Client

FORMAT = "content.imageFormat.thumbnailProduct"


def main(server: str, key: str, file: Path) -> None:
    """Do what the title says, and print what it made."""
    with Client(server, key) as client:
        # Convert it now and download the result.
        (result,) = client.convert(file.name, file, [FORMAT])
        client.download(result["output"], Path("thumbnail-" + result["outputFilename"]))
        print(result["status"], client.content_url(result["output"]))

        # Keep it as a source, with progress, and convert all sources of its directory in a run.
        client.sources.put(f"examples/{file.name}", file, on_progress=lambda sent, total: print(sent, "of", total))
        run = client.runs.start("examples", [FORMAT], action="example")
        for state in client.runs.watch(run):
            print(state["progress"]["finished"], "of", state["progress"]["total"])
        for row in client.runs.results(run):
            print(row["source"], row["status"])

        # Get a preview of 200 x 150 pixels by the ImageConverter API.
        stored = client.sources.sha256(f"examples/{file.name}")
        preview = client.previews.get(stored, "auto:200x150~cover", image=file)
        print(len(preview), "bytes of preview")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
