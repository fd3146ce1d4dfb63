"""A sandbox process whose engine lacks its last step, so that Pillow asks for the working directory on saving."""

from imageconverter.engine import pipeline, steps
from services.worker.sandbox import program

if __name__ == "__main__":
    vars(pipeline)["FRAME_STEPS"] = tuple(step for step in steps.FRAME_STEPS if step is not steps.strip)
    program.main()
