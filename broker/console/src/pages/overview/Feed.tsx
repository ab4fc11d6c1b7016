// Feed.tsx - the newest events, as they happen.
import { digits } from "../../format/number";
import { recent } from "../../live/feed";
import { departmentTitle, typeTitle } from "../../live/catalogue";
import { href } from "../../route";
import { useStore } from "../../store";
import { text, word } from "../../text";
import type { FeedEvent } from "../../api/shapes";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { EventMark } from "../../ui/EventMark";
import { Time } from "../../ui/Time";

const SHOWN = 7;

function Line({ of }: { of: FeedEvent }) {
    const t = text();
    const what = word(t.events, of.event);
    const where = of.department ? departmentTitle(of.department) : "";
    return (
        <li>
            <EventMark event={of.event} />
            <div>
                <p>
                    {of.number ? <a href={href("inquiry", of.number)} title={digits(of.number)}>{of.type ? typeTitle(of.type) : digits(of.number)}</a> : where}
                </p>
                <p class="feed-more">
                    {what}
                    {of.outcome ? ` · ${word(t.outcomes, of.outcome)}` : ""}
                    {where && of.number ? ` · ${where}` : ""}
                </p>
            </div>
            <Time at={of.at} form="clock" />
        </li>
    );
}

export function Feed() {
    const t = text().overview;
    const events = useStore(recent).slice(0, SHOWN);
    return (
        <Panel title={t.feed} class="feed-panel">
            {events.length ? (
                <ol class="feed">{events.map((e) => <Line key={`${e.seq} ${e.number}`} of={e} />)}</ol>
            ) : (
                <Empty icon="clock" title={t.feedEmpty}>{t.feedEmptyDo}</Empty>
            )}
        </Panel>
    );
}
