#!/bin/sh
# WhisperLiveKit in an environment of its own. It needs torch for its voice detector alone; diarisation, translation and
# other backends stay out.
set -eu
cd "$(dirname "$0")"
python3 -m venv .whisperlivekit
.whisperlivekit/bin/pip install --quiet --disable-pip-version-check faster-whisper==1.2.1 torch librosa tiktoken \
    fastapi uvicorn python-multipart websockets soundfile
.whisperlivekit/bin/pip install --quiet --disable-pip-version-check --no-deps whisperlivekit==0.2.26
