/** Columns of `fdmap dump --check`. */

import type { ForecastRow } from '../../index.ts';
import type { Column } from './column.ts';
import { detailOf } from './detail.ts';

function column(
  name: string,
  type: Column<ForecastRow>['type'],
  help: string,
  value: (each: ForecastRow) => unknown,
): Column<ForecastRow> {
  return {
    name,
    heading: name.toUpperCase(),
    align: type === 'number' ? 'right' : 'left',
    type,
    help,
    value,
  };
}

export const FORECAST_COLUMNS: readonly Column<ForecastRow>[] = [
  column('pid', 'number', 'process', ({ row }) => row.pid),
  column('command', 'string', 'name of the process', ({ row }) => row.command),
  column('fd', 'number', 'number', ({ row }) => row.fd),
  column('type', 'string', 'kind of descriptor', ({ row }) => row.type),
  column('verdict', 'string', 'dumpable, option, unsupported, or unknown', ({ verdict }) => verdict),
  column('options', 'array', 'options of criu dump that it needs', ({ options }) =>
    options.length > 0 ? options : undefined,
  ),
  column('reason', 'string', 'why', ({ reason }) => reason),
  column('detail', 'string', 'what it is', ({ row }) => detailOf(row)),
  column('facts', 'array', 'what CRIU keeps of it', ({ facts }) => facts),
  column('missing', 'array', 'what of that is not known here', ({ missing }) => missing),
];
