import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CliError, EXIT_USAGE } from '../../../client/cli/cli-error.ts';
import { type EventOptions, makeEventQuery } from '../../../client/cli/event-request.ts';
import { DeliveryMode, OutputPreset, Rendering } from '../../../proto/gen/strata/v1/event_service.ts';

const query = (filter: readonly string[], options: EventOptions) =>
  makeEventQuery(filter, options, undefined);

describe('makeEventQuery', () => {
  it('joins the words of an unquoted filter', () => {
    const { request, texts } = query(['proc.name', '=', 'cat'], {});
    assert.deepEqual(request.filters, [{ name: '', condition: 'proc.name = cat' }]);
    assert.equal(texts.get('filters[0].condition'), 'proc.name = cat');
  });

  it('leaves the delivery to the server unless one is named', () => {
    assert.equal(query([], {}).request.deliveryMode, DeliveryMode.UNSPECIFIED);
    assert.equal(query([], { delivery: 'complete' }).request.deliveryMode, DeliveryMode.COMPLETE);
    assert.equal(query([], { delivery: 'immediate' }).request.deliveryMode, DeliveryMode.IMMEDIATE);
  });

  it('asks for the default line when nothing else is wanted', () => {
    const { request } = query([], {});
    assert.equal(request.rendering, Rendering.TEXT);
    assert.equal(request.outputPreset, OutputPreset.DEFAULT);
    assert.equal(request.eventsMax, undefined);
  });

  it('lets the server render JSON objects of the fields', () => {
    const { request, texts } = query([], { fields: 'evt.num,evt.arg.flags', json: true });
    assert.equal(request.rendering, Rendering.JSON);
    assert.deepEqual(request.fields, ['evt.num', 'evt.arg.flags']);
    assert.equal(texts.get('fields[1]'), 'evt.arg.flags');
  });

  it('has fields for --json alone', () => {
    assert.ok(query([], { json: true }).request.fields.includes('proc.name'));
  });

  it('prints --fields as values separated by tabs', () => {
    const { request } = query([], { fields: 'evt.num,proc.aname[2]' });
    assert.equal(request.rendering, Rendering.TEXT);
    assert.equal(request.outputFormat, '*%evt.num\t%proc.aname[2]');
    assert.deepEqual(request.fields, []);
  });

  it('passes -p FORMAT on and knows -pc and -pk', () => {
    assert.equal(query([], { format: '*%evt.num' }).request.outputFormat, '*%evt.num');
    assert.equal(query([], { format: 'c' }).request.outputPreset, OutputPreset.CONTAINER);
    assert.equal(query([], { format: 'k' }).request.outputPreset, OutputPreset.KUBERNETES);
  });

  it('uses templates with colours instead of presets when it is given some', () => {
    const presets = { default: '*d', container: '*c', kubernetes: '*k' };
    const { request } = makeEventQuery([], { format: 'c' }, undefined, presets);
    assert.equal(request.outputFormat, '*c');
    assert.equal(request.outputPreset, OutputPreset.UNSPECIFIED);
  });

  it('limits the count', () => {
    assert.equal(query([], { count: 3 }).request.eventsMax, 3n);
  });

  it('refuses options that exclude each other', () => {
    const isUsage = (error: unknown): boolean => error instanceof CliError && error.exitCode === EXIT_USAGE;
    assert.throws(() => query([], { fields: 'evt.num', format: '%evt.num' }), isUsage);
    assert.throws(() => query([], { format: '%evt.num', json: true }), isUsage);
  });
});
