// Recent.tsx - the department's newest inquiries, kept fresh by the event stream.
import { useEffect } from "preact/hooks";
import type { FoundList } from "../../api/shapes";
import { onEvents } from "../../live/feed";
import { href } from "../../route";
import { text } from "../../text";
import { Empty } from "../../ui/Empty";
import { Fault } from "../../ui/Fault";
import { InquiryTable } from "../../ui/InquiryTable";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { useAsked } from "../../ui/useAsked";

const LIMIT = 8;

export function Recent({ name }: { name: string }) {
    const t = text().department;
    const q = `department:${name}`;
    const { value, fault, again } = useAsked<FoundList>(`/v1/inquiries?q=${encodeURIComponent(q)}&limit=${LIMIT}`);
    useEffect(() => onEvents((events) => events.some((e) => e.department === name) && again()), [name, again]);
    return (
        <Panel title={t.recent} flush actions={<a href={href("search", undefined, { q })}>{t.recentAll}</a>}>
            {fault !== null && !value && <Fault of={fault} again={again} />}
            {!value && fault === null && <Loading />}
            {value && !value.rows.length && <Empty title={t.recentEmpty} />}
            {value && value.rows.length > 0 && <InquiryTable caption={t.recent} rows={value.rows.slice(0, LIMIT)} of={name} />}
        </Panel>
    );
}
