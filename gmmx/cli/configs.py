"""The option classes of the commands that have one, and options that are shorter than a field."""

from ..config import (
    AssignConfig,
    CompareConfig,
    CompressConfig,
    ConditionConfig,
    ErrorsConfig,
    ExportConfig,
    FitConfig,
    FluxConfig,
    GoodnessConfig,
    PictureRenderConfig,
    PlotConfig,
    ProfileConfig,
    RenderConfig,
    SampleCommandConfig,
    SampleCompareConfig,
    SampleConfig,
    SimulateConfig,
)

CONFIGS = {
    "fit": FitConfig,
    "errors": ErrorsConfig,
    "render": RenderConfig,
    "plot": PlotConfig,
    "export": ExportConfig,
    "flux": FluxConfig,
    "profile": ProfileConfig,
    "compare": CompareConfig,
    "test": GoodnessConfig,
    "assign": AssignConfig,
    "simulate": SimulateConfig,
    "sample": SampleCommandConfig,
    "condition": ConditionConfig,
    "compress": CompressConfig,
}
# A command may take other options for other files: those of a catalogue or a picture.
OTHER_CONFIGS = {
    "fit": SampleConfig,
    "render": PictureRenderConfig,
    "compare": SampleCompareConfig,
}
# Options that are shorter than the parameter that they set.
SHORT = {"n_components": "k", "energy_kev": "energy"}
