"""The command line program `secondhand`. Each module here has a group of commands; this one assembles them."""

from __future__ import annotations

# ruff: noqa: E402 - signals are caught before the imports that take long
import sys

from addon.runtime.signals import catch_if_serving

catch_if_serving(sys.argv)

import typer

from addon.cli import (
    config,
    doctor,
    env,
    lint,
    mitm,
    modes,
    queue,
    recordings,
    run,
    serve,
    show,
    status,
    store,
    trust,
    warm,
    why,
)
from addon.cli.terminal import Application

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found."

app = typer.Typer(
    cls=Application,
    name="secondhand",
    help="A caching HTTP(S) proxy that sends stored responses with status 203 Non-Authoritative Information.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    # boxes for a terminal, plain text for files
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)
app.callback()(mitm.version_option)
app.command(epilog="Example: secondhand run -- npm ci", context_settings={"allow_interspersed_args": False})(run.run)
app.command(epilog='Example: eval "$(secondhand env)"')(env.env)
app.command(epilog="Example: secondhand serve --listen 127.0.0.1:8080")(serve.serve)
for switch in (modes.online, modes.auto, modes.offline):
    app.command(epilog=f"Example: secondhand {switch.__name__} '*.example.org'")(switch)
app.command(epilog="Example: secondhand mode --json")(modes.mode)
app.command("ls", epilog="Example: secondhand ls '*.whl'")(store.list_copies)
app.command(epilog="Example: secondhand show https://example.org/")(show.show)
app.command(epilog="Example: secondhand why https://example.org/ -H 'Cache-Control: max-age=60'")(why.why)
app.command(epilog="Example: secondhand lint https://example.org/ -H 'Accept-Encoding: gzip'")(lint.lint)
app.command(epilog="Example: secondhand warm --private package-lock.json")(warm.warm)
app.command(epilog="Example: secondhand purge --host example.org")(store.purge)
app.command(epilog="Example: secondhand stats --json")(store.stats)
app.command(epilog="Example: secondhand status --json")(status.status)
app.command(epilog="Example: secondhand record checkout")(recordings.record)
app.command(epilog="Example: secondhand replay checkout")(recordings.replay)
app.command(epilog="Example: secondhand export checkout --format har")(recordings.export)
app.command("import", epilog="Example: secondhand import checkout.har")(recordings.import_recording)
app.command(epilog="Example: secondhand diff yesterday today")(recordings.diff)
app.command(epilog="Example: secondhand scrub checkout --field X-Api-Key --field token")(recordings.scrub)
app.add_typer(recordings.app, name="recordings")
app.add_typer(config.app, name="config")
app.command(epilog="Example: secondhand doctor --json")(doctor.doctor)
app.add_typer(queue.app, name="queue")
app.add_typer(trust.app, name="trust")
app.command("addon", epilog='Example: mitmdump -s "$(secondhand addon)"')(mitm.addon)
app.command(epilog="Example: secondhand mitmweb --listen-port 8081", cls=mitm.PassThroughCommand)(mitm.mitmweb)
app.command(epilog="Example: secondhand mitmdump --mode reverse:http://127.0.0.1:9000", cls=mitm.PassThroughCommand)(
    mitm.mitmdump
)
app.command(epilog="Example: secondhand version --json")(mitm.version)


def main() -> None:
    """Run the command line and end the process."""
    app(prog_name="secondhand")
