// Inquiry.tsx - one inquiry, its timeline at the heart; the same facts also compact and as JSON.
import { useEffect } from "preact/hooks";
import { ApiError } from "../../api/http";
import type { Inquiry as Row, List, TimelineRow } from "../../api/shapes";
import { digits } from "../../format/number";
import { onEvents } from "../../live/feed";
import { catalogue, departmentTitle, typeTitle } from "../../live/catalogue";
import { href } from "../../route";
import { may } from "../../session";
import { useStore } from "../../store";
import { fill, text } from "../../text";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { PageHead } from "../../ui/PageHead";
import { OutcomeBadge, StateBadge } from "../../ui/StateBadge";
import { useAsked } from "../../ui/useAsked";
import { Actions } from "./Actions";
import { Bodies } from "./Bodies";
import { Compact } from "./Compact";
import { Details } from "./Details";
import { Json } from "./Json";
import { Timeline } from "./Timeline";
import { Views, type View } from "./Views";

const isFinal = (row: Row): boolean => ["answered", "expired", "cancelled"].includes(row.state);

function NotFound({ id }: { id: string }) {
    const t = text().inquiry;
    return (
        <Empty icon="search" title={fill(t.notFound, { n: digits(id) })}>
            <p>{t.notFoundDo}</p>
            <a href={href("search", undefined, { q: id })}>{t.toSearch}</a>
        </Empty>
    );
}

/* While it is under way the events of the stream renew it, and a slow question in case one is missed. */
function useInquiry(id: string) {
    const path = `/v1/inquiries/${encodeURIComponent(id)}`;
    const inquiry = useAsked<Row>(path + (may("bodies") ? "?bodies=1" : ""), 20_000);
    const timeline = useAsked<List<TimelineRow>>(`${path}/timeline`, 20_000);
    const number = inquiry.value?.number;
    useEffect(
        () =>
            onEvents((events) => {
                if (!events.some((e) => e.number === number || (e.event === "acknowledged" && !e.number))) return;
                inquiry.again();
                timeline.again();
            }),
        [number, inquiry.again, timeline.again],
    );
    return { inquiry, timeline };
}

export function Inquiry({ id, view }: { id: string; view: string }) {
    useStore(catalogue);
    const { inquiry, timeline } = useInquiry(id);
    const row = inquiry.value;
    if (!row) {
        if (inquiry.fault instanceof ApiError && [400, 404, 422].includes(inquiry.fault.problem.status)) return <NotFound id={id} />;
        return inquiry.fault !== null ? <Fault of={inquiry.fault} again={inquiry.again} /> : <Loading />;
    }
    const rows = timeline.value?.rows ?? [];
    const shown: View = view === "compact" || view === "json" ? view : "timeline";
    const again = (): void => (inquiry.again(), timeline.again());
    return (
        <div class="page">
            <PageHead
                title={typeTitle(row.type)}
                back={{ href: href("department", row.department), label: departmentTitle(row.department) }}
                aside={
                    <>
                        <span class="inquiry-number">{fill(text().inquiry.title, { n: digits(row.number) })}</span>
                        <StateBadge state={row.state} />
                        {row.outcome && <OutcomeBadge outcome={row.outcome} />}
                    </>
                }
                actions={<Actions row={row} final={isFinal(row)} onDone={again} />}
            />
            <Views id={id} shown={shown} />
            {timeline.fault !== null && !timeline.value && <Fault of={timeline.fault} again={timeline.again} />}
            {shown === "timeline" && (
                <div class="split">
                    <Timeline rows={rows} final={isFinal(row)} />
                    <Details row={row} />
                </div>
            )}
            {shown === "timeline" && <Bodies row={row} />}
            {shown === "compact" && <Compact rows={rows} row={row} />}
            {shown === "json" && <Json value={{ ...row, timeline: rows }} />}
        </div>
    );
}
