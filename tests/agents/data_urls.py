"""Pictures out of the parts of OpenAI's API."""

import base64
import io

import numpy as np
from PIL import Image


def array_of(part):
    """Decodes the picture of an `image_url` part, (height, width, 3) uint8."""
    data = part["image_url"]["url"].partition("base64,")[2]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
