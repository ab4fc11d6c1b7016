// Config.tsx - what the broker works with, name by name.
import type { List, NamedValue } from "../../api/shapes";
import { text } from "../../text";
import { Name } from "../../ui/Code";
import { Fault } from "../../ui/Fault";
import { Loading } from "../../ui/Loading";
import { Panel } from "../../ui/Panel";
import { Table } from "../../ui/Table";
import type { Asked } from "../../ui/useAsked";
import { ConfigValue } from "./ConfigValue";

export function Config({ config }: { config: Asked<List<NamedValue>> }) {
    const t = text().system;
    return (
        <Panel title={t.config} lead={t.configLead} flush>
            {!config.value && (config.fault !== null ? <Fault of={config.fault} again={config.again} /> : <Loading />)}
            {config.value && (
                <Table
                    caption={t.config}
                    rows={config.value.rows}
                    rowKey={(r) => r.name}
                    columns={[
                        { key: "name", title: t.measure, cell: (r) => <Name>{r.name}</Name> },
                        { key: "value", title: t.value, cell: (r) => <ConfigValue row={r} /> },
                    ]}
                />
            )}
        </Panel>
    );
}
