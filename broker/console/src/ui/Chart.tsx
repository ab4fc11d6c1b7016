// Chart.tsx - uPlot in our clothes: time runs left to right in both languages, figures and clock times are in
// the reader's script, the legend is ours (shape, word, value under the pointer).
import { useEffect, useId, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { timeText } from "../format/time";
import { prefs, themeNow } from "../prefs";
import { useStore } from "../store";
import { isPersian, text } from "../text";

export interface Series {
    label: string;
    color: string; // a custom property's name, such as --chart-1
    fill?: boolean;
    dash?: boolean;
    points?: boolean; // dots without a line
}

export interface ChartProps {
    label: string;
    series: Series[];
    data: uPlot.AlignedData; // seconds, then one row a series
    format: (value: number) => string;
    height?: number;
    steps?: number[]; // between two lines of the grid; whole numbers without it
    from?: number; // seconds: the axis begins here even where there is nothing yet
    to?: number;
}

const DAY = 86_400;
const TIME_STEPS = [60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, DAY, 7 * DAY, 30 * DAY];
const COUNT_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7];
/* Of an axis in seconds, and in milliseconds. */
export const SECOND_STEPS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 14_400, 43_200, DAY, 7 * DAY];
export const MS_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, ...SECOND_STEPS.map((s) => s * 1000)];
const spanOf = (u: uPlot): number => (u.scales.x?.max ?? 0) - (u.scales.x?.min ?? 0);

const FONT = '11px "Vazirmatn Variable", sans-serif';
const css = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function seriesOf(s: Series): uPlot.Series {
    const stroke = css(s.color);
    return {
        label: s.label,
        stroke,
        width: s.points ? 0 : 1.75,
        dash: s.dash ? [5, 4] : undefined,
        fill: s.fill ? stroke + "26" : undefined,
        paths: s.points ? () => null : uPlot.paths.linear?.(),
        points: s.points ? { show: true, size: 5, fill: stroke, stroke } : { show: false },
        spanGaps: false,
    };
}

function options(props: ChartProps, width: number, onCursor: (index: number | null) => void): uPlot.Options {
    const ink = css("--ink-soft");
    const grid = { stroke: css("--line"), width: 1 };
    const quiet = { stroke: ink, font: FONT, ticks: { show: false }, border: { show: false } };
    return {
        width,
        height: props.height ?? 200,
        tzDate: (at) => uPlot.tzDate(new Date(at * 1e3), "Asia/Tehran"),
        legend: { show: false },
        cursor: { y: false, points: { size: 7 }, drag: { x: false, y: false } },
        scales: {
            x: { range: (_, min, max) => [props.from ?? min, props.to ?? max] },
            y: { range: (_, __, max) => [0, niceTop(max)] },
        },
        axes: [
            {
                ...quiet,
                grid: { show: false },
                size: 26,
                space: 70,
                incrs: TIME_STEPS,
                values: (u, at) => at.map((s) => timeText(s * 1e3, spanOf(u) > DAY ? "day" : "short")),
            },
            {
                ...quiet,
                grid,
                size: (_, values) => 14 + Math.max(...(values ?? [""]).map((v) => v.length), 1) * 6.5,
                space: 28,
                incrs: props.steps ?? COUNT_STEPS,
                values: (_, at) => at.map((v) => isolated(props.format(v))),
            },
        ],
        series: [{}, ...props.series.map(seriesOf)],
        hooks: { setCursor: [(u) => onCursor(u.cursor.idx ?? null)] },
    };
}

/* Canvas text runs left to right here; figure and unit of a Persian duration keep their own order. */
const isolated = (label: string): string => (isPersian() ? `\u2067${label}\u2069` : label);

/* The top of the axis leaves air above the line; an empty chart is not a scale of nothing. */
function niceTop(max: number | null): number {
    return max === null || !(max > 0) ? 4 : Math.max(4, max * 1.12);
}

function lastIndex(data: uPlot.AlignedData): number {
    return data[0].length - 1;
}

export function Chart(props: ChartProps) {
    const box = useRef<HTMLDivElement>(null);
    const plot = useRef<uPlot | null>(null);
    const [index, setIndex] = useState<number | null>(null);
    const legend = useId();
    const look = useStore(prefs);
    const theme = themeNow();
    const shape = props.series.map((s) => s.label + s.color).join();
    const now = useRef(props);
    now.current = props;

    useEffect(() => {
        const div = box.current;
        if (!div) return;
        const build = (): void => {
            plot.current?.destroy();
            plot.current = new uPlot(options(now.current, div.clientWidth, setIndex), now.current.data, div);
        };
        build();
        const sizes = new ResizeObserver(() => {
            const width = div.clientWidth;
            if (plot.current && width && width !== plot.current.width)
                plot.current.setSize({ width, height: now.current.height ?? 200 });
        });
        sizes.observe(div);
        let gone = false;
        void document.fonts.ready.then(() => gone || plot.current?.redraw());
        return () => {
            gone = true;
            sizes.disconnect();
            plot.current?.destroy();
            plot.current = null;
        };
    }, [shape, look.language, theme, props.height]);

    useEffect(() => plot.current?.setData(props.data), [props.data]);

    const at = index ?? lastIndex(props.data);
    const when = props.data[0][at];
    return (
        <figure class="chart" aria-label={props.label}>
            <figcaption class="legend" id={legend}>
                {props.series.map((s, i) => {
                    const value = props.data[i + 1]?.[at];
                    return (
                        <span class="legend-item" key={s.label}>
                            <i class={`legend-mark legend-${s.color.slice(2)}${s.dash ? " legend-dash" : ""}${s.points ? " legend-dot" : ""}`} aria-hidden="true" />
                            {s.label}
                            <b>{value === null || value === undefined ? text().units.none : props.format(value)}</b>
                        </span>
                    );
                })}
                <span class="legend-time">{when ? timeText(when * 1e3, "clock") : ""}</span>
            </figcaption>
            <div class="chart-box" dir="ltr" ref={box} aria-hidden="true" />
        </figure>
    );
}
