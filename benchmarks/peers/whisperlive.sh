#!/bin/sh
# WhisperLive in an environment of its own. Its voice detector for other backends, OpenVINO and diarisation stay out.
set -eu
cd "$(dirname "$0")"
python3 -m venv .whisperlive
.whisperlive/bin/pip install --quiet --disable-pip-version-check faster-whisper==1.2.0 torch fastapi uvicorn \
    python-multipart websockets websocket-client scipy numba soundfile requests
.whisperlive/bin/pip install --quiet --disable-pip-version-check --no-deps whisper-live==0.10.0
