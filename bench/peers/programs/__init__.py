"""Programs that convert files, one for each library: ``PROGRAM best|usual OUT QUALITY SIDE,SIDE,… FILE …``.

Each writes OUT/SIDE/NAME for every side; `sharp.mjs` gets the folder with its package before all others.
"""
