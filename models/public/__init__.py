"""
Public models of emotion in voices, from a directory of the operator's, behind ``models.emotion.VoiceModel``.

The directory holds an ONNX file and ``model.toml``; docs/voices.md says how to make one. None of them is part of
Warmline, and none of their figures is ours.
"""
