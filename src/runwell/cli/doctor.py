"""`runwell doctor`: what is found, and what to do about it."""

from rich.text import Text

from runwell.cli.checkup import check_up
from runwell.cli.console import print_json, stdout
from runwell.cli.exit_codes import Exit
from runwell.cli.formatting import one_line
from runwell.cli.options import Options
from runwell.cli.output import Format

_MARKS = {"ok": ("ok  ", "green"), "warn": ("warn", "yellow"), "fail": ("FAIL", "bold red")}


async def doctor(options: Options, output: Format) -> Exit:
    findings = await check_up(options.settings())
    healthy = all(finding.verdict != "fail" for finding in findings)
    if output is Format.JSON:
        print_json({"healthy": healthy, "checks": findings})
    else:
        console = stdout()
        for finding in findings:
            mark, style = _MARKS[finding.verdict]
            console.print(
                Text(mark, style).append(f"  {finding.check}: ", "bold").append(one_line(finding.found), "default"), soft_wrap=True
            )
            if finding.cure:
                console.print(Text(f"      {finding.cure}", "dim"), soft_wrap=True)
    return Exit.SUCCEEDED if healthy else Exit.ENDED_OTHERWISE
