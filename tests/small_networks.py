"""Settings that make each network small enough to be built over and over."""

SMALL = {
    "alexnet": {"patch": 51, "stride": 1, "base_channels": 3, "hidden_channels": 6},
    "smsnet": {"depth": 6, "width": 3, "dilations": (1, 2, 3)},
    "tunet": {"depth": 3, "base_channels": 4},
    "msdnet": {"depth": 11, "max_dilation": 3},
    "unet": {"depth": 3, "base_channels": 4, "norm": "batch"},
    "tunet3plus": {"depth": 3, "base_channels": 4, "carry_channels": 3},
    "segnet": {"depth": 2, "base_channels": 4},
    "pixelnet": {"depth": 3, "base_channels": 4, "hidden_channels": 6},
}

SMALL_ENCODERS = {
    "autoencoder": {"depth": 2, "base_channels": 4},
    "vae": {"depth": 2, "base_channels": 4},
}
