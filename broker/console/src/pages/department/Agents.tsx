// Agents.tsx - the processes that answer for the department, and their last sign of life.
import type { AgentRow } from "../../api/shapes";
import { num } from "../../format/number";
import { text } from "../../text";
import { Age } from "../../ui/Age";
import { Name } from "../../ui/Code";
import { Empty } from "../../ui/Empty";
import { Panel } from "../../ui/Panel";
import { Table, type Column } from "../../ui/Table";

function columns(): Column<AgentRow>[] {
    const t = text().columns;
    return [
        { key: "account", title: t.account, cell: (a) => <><Name>{a.account}</Name> <small class="sub"><Name>{a.software}</Name></small></> },
        { key: "address", title: t.address, cell: (a) => <Name>{a.address}</Name> },
        { key: "leased", title: t.leased, number: true, cell: (a) => <>{num(a.leased)}<small class="of"> / {num(a.window)}</small></> },
        { key: "answered", title: t.answered, number: true, cell: (a) => num(a.answered) },
        { key: "since", title: t.since, cell: (a) => <Age at={a.since_at} /> },
        { key: "heard", title: t.heard, cell: (a) => <Age at={a.heard_at} /> },
    ];
}

export function Agents({ agents, name }: { agents: AgentRow[]; name: string }) {
    const t = text().department;
    return (
        <Panel title={t.agents} flush>
            {agents.length ? (
                <Table caption={t.agents} columns={columns()} rows={agents} rowKey={(a) => a.session} />
            ) : (
                <Empty icon="plug" title={t.agentsEmpty}>
                    <p>{t.agentsEmptyDo}</p>
                    <pre dir="ltr" tabIndex={0}>{`estelam-agent --config ${name}.yaml --check\nestelam-agent --config ${name}.yaml`}</pre>
                </Empty>
            )}
        </Panel>
    );
}
