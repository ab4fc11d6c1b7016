// Table.tsx - a table that scrolls sideways inside itself on a narrow screen, reachable by keyboard.
import type { ComponentChildren, VNode } from "preact";

export interface Column<Row> {
    key: string;
    title: string;
    number?: boolean; // figures stand at the end of the cell, one under the other
    hidden?: "narrow"; // left out where there is no room
    cell: (row: Row) => ComponentChildren;
}

export interface TableProps<Row> {
    caption: string;
    columns: Column<Row>[];
    rows: Row[];
    rowKey: (row: Row) => string | number;
    rowClass?: (row: Row) => string;
}

export function Table<Row>({ caption, columns, rows, rowKey, rowClass }: TableProps<Row>): VNode {
    const css = (c: Column<Row>): string => `${c.number ? "number" : ""}${c.hidden ? " hide-narrow" : ""}`;
    return (
        <div class="table-scroll" role="region" aria-label={caption} tabIndex={0}>
            <table>
                <caption class="sr-only">{caption}</caption>
                <thead>
                    <tr>{columns.map((c) => <th key={c.key} scope="col" class={css(c)}>{c.title}</th>)}</tr>
                </thead>
                <tbody>
                    {rows.map((row) => (
                        <tr key={rowKey(row)} class={rowClass?.(row)}>
                            {columns.map((c) => <td key={c.key} class={css(c)} data-column={c.key}>{c.cell(row)}</td>)}
                        </tr>
                    ))}
                </tbody>
            </table>
        </div>
    );
}
