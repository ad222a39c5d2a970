"""Analytics over time: every bucket of the span, empty ones too."""

from runwell.model.analytics import RunsBucket, RunsSeries, RunsTimeseries, UsageBucket, UsageSeries, UsageTimeseries
from runwell.model.statuses import RunStatus
from runwell.model.times import rfc3339
from runwell.model.usage import credits, usd
from runwell.ports.analytics import UsageFigures
from runwell.query.analytics import Chart, Figures, Wanted, series


async def runs_timeseries(figures: Figures, wanted: Wanted, chart: Chart) -> RunsTimeseries:
    """Return how many runs began in each bucket, by status."""
    of = await series(figures, wanted, chart, figures.analytics.statuses)
    lines = []
    for group, line in of.lines:
        buckets = [
            RunsBucket(
                start=rfc3339(bucket.begin),
                end=rfc3339(bucket.end),
                runs=sum((found or {}).values()),
                statuses={status: found[status] for status in RunStatus if status in found} if found else {},
                search=wanted.search(group=group, span=bucket),
            )
            for bucket, found in line
        ]
        lines.append(RunsSeries(buckets=buckets, group=group))
    return RunsTimeseries(granularity=chart.granularity, tz=chart.tz, series=lines, groups_left_out=of.left_out, **of.span)


async def usage_timeseries(figures: Figures, wanted: Wanted, chart: Chart) -> UsageTimeseries:
    """Return what the runs that began in each bucket used."""
    of = await series(figures, wanted, chart, figures.analytics.usage)
    lines = []
    for group, line in of.lines:
        buckets = []
        for bucket, found in line:
            used = found or UsageFigures()
            buckets.append(
                UsageBucket(
                    start=rfc3339(bucket.begin),
                    end=rfc3339(bucket.end),
                    runs=used.runs,
                    steps=used.steps,
                    generations=used.usage.generations,
                    tokens=used.usage.input_tokens + used.usage.output_tokens,
                    input_tokens=used.usage.input_tokens,
                    output_tokens=used.usage.output_tokens,
                    cost_usd=usd(used.usage.cost_nanos),
                    credits=credits(used.credits_micro),
                    search=wanted.search(group=group, span=bucket),
                    cache_hits=used.cache_hits,
                    saved_cost_usd=usd(used.saved_nanos),
                    saved_ms=used.saved_ms,
                )
            )
        lines.append(UsageSeries(buckets=buckets, group=group))
    return UsageTimeseries(granularity=chart.granularity, tz=chart.tz, series=lines, groups_left_out=of.left_out, **of.span)
