// IndexPanel.tsx - the search index: how far it is behind the log, and building it again.
import { useState } from "preact/hooks";
import { post } from "../../api/http";
import { bytes, digits, num } from "../../format/number";
import { may } from "../../session";
import { fill, text } from "../../text";
import { Badge } from "../../ui/Badge";
import { Bar } from "../../ui/Bar";
import { Button } from "../../ui/Button";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { Reason } from "../../ui/Reason";
import { toast } from "../../ui/Toasts";
import { useAsked } from "../../ui/useAsked";

interface IndexState {
    index_seq: number;
    index_behind: number;
    index_entries: number;
    index_bytes: number;
    index_rebuilding: number; // 0 or 1
    index_failed: number;
}

function Progress({ state }: { state: IndexState }) {
    const t = text().system;
    const behind = state.index_behind;
    if (state.index_failed) return <Badge tone="bad">{t.indexFailed}</Badge>;
    if (state.index_rebuilding)
        return (
            <>
                <Badge tone="busy">{t.indexBuilding}</Badge>
                <Bar label={t.indexBuilding} value={state.index_seq} max={state.index_seq + behind} />
            </>
        );
    return behind ? <Badge tone="warn">{fill(t.indexBehind, { n: num(behind) })}</Badge> : <Badge tone="good">{t.indexNone}</Badge>;
}

export function IndexPanel() {
    const t = text();
    const { value, fault, again } = useAsked<IndexState>("/v1/index", 5_000);
    const [open, setOpen] = useState(false);
    return (
        <Panel title={t.system.index}>
            {!value && (fault !== null ? <Fault of={fault} again={again} /> : <Loading />)}
            {value && (
                <dl class="details">
                    <div><dt>{t.system.indexLag}</dt><dd><Progress state={value} /></dd></div>
                    <div><dt>{t.system.indexSeq}</dt><dd>{digits(value.index_seq)}</dd></div>
                    <div><dt>{t.system.indexEntries}</dt><dd>{num(value.index_entries)}</dd></div>
                    <div><dt>{t.system.indexSize}</dt><dd>{bytes(value.index_bytes)}</dd></div>
                </dl>
            )}
            {value && may("reindex") && <Button icon="requeue" onClick={() => setOpen(true)}>{t.system.rebuild}</Button>}
            {open && (
                <Reason
                    title={t.act.rebuildTitle}
                    lead={t.act.rebuildLead}
                    confirm={t.act.rebuildDo}
                    danger
                    onClose={() => setOpen(false)}
                    onConfirm={async (reason) => {
                        await post("/v1/index/rebuild", { reason });
                        toast(t.act.rebuildDone);
                        again();
                    }}
                />
            )}
        </Panel>
    );
}
