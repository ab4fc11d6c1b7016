// Timeline.tsx - the life of an inquiry, step by step, with who did it and what the time between was spent on.
import type { TimelineRow } from "../../api/shapes";
import { digits } from "../../format/number";
import { span } from "../../format/span";
import { clockWithMs, timeText, timeTip } from "../../format/time";
import { useNow } from "../../live/clock";
import { fill, text, word } from "../../text";
import { Code, Name } from "../../ui/Code";
import { Empty } from "../../ui/Empty";
import { EventMark } from "../../ui/EventMark";
import { Foreign } from "../../ui/Foreign";
import { Panel } from "../../ui/Panel";
import { spent, steps, stepText, type Step } from "./steps";
import { Where } from "./Where";

/* The day is told where it changes. */
const dayOf = (step: Step): string => timeText(step.at, "date");

function Between({ step }: { step: Step }) {
    const t = text().inquiry;
    if (!step.after) return null;
    return (
        <p class={`between between-${step.after.phase}`}>
            <span>{t[step.after.phase]}</span>
            <b>{span(step.after.ms)}</b>
            {step.after.open && <span class="between-open">{t.still}</span>}
        </p>
    );
}

function StepText({ step }: { step: Step }) {
    if (!step.text) return null;
    return <p class="step-text"><Foreign>{stepText(step.event, step.text)}</Foreign></p>;
}

function Line({ step, day, final }: { step: Step; day: string | null; final: boolean }) {
    const t = text();
    const open = step.after?.open && (final ? step.after.phase === "toRequester" : true);
    const shown = step.after?.open && !open ? { ...step, after: null } : step;
    return (
        <li class={`step${step.after?.open ? " step-last" : ""}`} data-step={step.event}>
            <EventMark event={step.event} />
            <div class="step-body">
                <p class="step-head">
                    <b>{word(t.events, step.event)}</b>
                    <span class="step-by">
                        {t.inquiry.by} {step.actor ? <Name>{step.actor}</Name> : t.inquiry.broker}
                    </span>
                    {step.code && <Code code={step.code} />}
                </p>
                <StepText step={step} />
                <Between step={shown} />
            </div>
            <div class="step-when">
                {day && <span class="step-day">{day}</span>}
                <time dateTime={new Date(step.at).toISOString()} title={timeTip(step.at)}>{clockWithMs(step.at)}</time>
                {step.seq && <small title={fill("#{n}", { n: step.seq })}>#{digits(step.seq)}</small>}
            </div>
        </li>
    );
}

export function Timeline({ rows, final }: { rows: TimelineRow[]; final: boolean }) {
    const t = text().inquiry;
    const now = useNow();
    const all = steps(rows, now);
    return (
        <Panel title={t.timeline}>
            {!all.length && <Empty icon="clock" title={t.noTimeline} />}
            <Where spent={spent(all)} final={final} />
            <ol class="timeline">
                {all.map((step, i) => {
                    const before = all[i - 1];
                    const day = before && dayOf(before) === dayOf(step) ? null : dayOf(step);
                    return <Line key={`${step.event}${step.at}${i}`} step={step} day={day} final={final} />;
                })}
            </ol>
        </Panel>
    );
}
