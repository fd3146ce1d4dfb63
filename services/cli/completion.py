"""`imageconverter completion`: scripts that let shells complete commands and options."""

import click
from click.shell_completion import get_completion_class

_PROGRAM = "imageconverter"


@click.command
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(context: click.Context, shell: str) -> int:
    """Print the script that makes a shell complete this command.

    bash: `source <(imageconverter completion bash)` in ~/.bashrc. zsh: the same with zsh in ~/.zshrc. fish:
    `imageconverter completion fish > ~/.config/fish/completions/imageconverter.fish`.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # noqa: S101 - for mypy: these are click's own
    click.echo(kind(context.find_root().command, {}, _PROGRAM, "_IMAGECONVERTER_COMPLETE").source())
    return 0
