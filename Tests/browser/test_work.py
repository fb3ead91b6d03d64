"""What an operator does, done in a browser."""

import json
import os
import subprocess
import unittest

from browsing import Browsing
from program import MARKUP, Receiver, wait_until


def run(command, key=''):
    environment = {**os.environ, 'HIREWIRE_KEY': key}
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60, env=environment).stdout


def shell(line, key=''):
    """What a line prints that is pasted into a shell."""
    return run(['sh', '-c', line], key)


class Work(Browsing):
    def test_a_key_is_made_used_rotated_and_revoked(self):
        page = self.sign_in()

        # when
        page.goto('/keys')
        page.locator('summary', has_text='Create a key').click()
        page.get_by_label('Name').fill('BI dashboard')
        page.get_by_label('read:pii').check()
        page.get_by_role('button', name='Create the key').click()
        key = page.locator('#new-key').inner_text()

        # then
        status, answer = self.program.api('/api/v1/candidates?limit=1', key)
        self.assertEqual((status, len(answer['data'])), (200, 1))
        self.assertIn(key, page.locator('#new-curl').inner_text())
        self.copy(page, 'Copy the key')
        self.assertEqual(page.evaluate('navigator.clipboard.readText()'), key)
        # the line does what it says when it is pasted
        self.assertEqual(json.loads(shell(page.locator('#new-curl').inner_text()))['data'][0]['id'], answer['data'][0]['id'])
        # and what is shown once is not shown again, nor made again
        made = len(self.program.command('keys', 'list'))
        self.assertEqual(page.reload().status, 409)
        self.assertNotIn(key, page.content())
        self.assertEqual(len(self.program.command('keys', 'list')), made)
        page.goto('/keys')
        self.assertNotIn(key.split('_')[2], page.content())
        row = page.get_by_role('row', name='BI dashboard')
        self.assertIn('active', row.inner_text())
        wait_until(lambda: page.goto(page.url) and '2' == row.locator('[data-label=Requests]').inner_text(), what='the usage')

        # when it gets another secret
        row.get_by_role('link', name='Rotate').click()
        page.get_by_label('The old secret stops').select_option('at once')
        page.get_by_role('button', name='Make a new secret').click()
        rotated = page.locator('#new-key').inner_text()

        # then
        self.assertEqual(self.program.api('/api/v1/key', rotated)[0], 200)
        wait_until(lambda: self.program.api('/api/v1/key', key)[0] == 401, seconds=1)

        # when it is revoked
        page.goto('/keys')
        page.get_by_role('row', name='BI dashboard').get_by_role('link', name='Revoke').click()
        page.get_by_role('button', name='Revoke the key').click()

        # then
        page.get_by_text('The key is revoked').wait_for()
        wait_until(lambda: self.program.api('/api/v1/key', rotated)[0] == 401, seconds=1)
        self.assertIn('revoked', page.get_by_role('row', name='BI dashboard').inner_text())

    def test_a_key_that_pushes_has_a_line_that_pushes(self):
        page = self.sign_in()
        page.goto('/keys')
        page.locator('summary', has_text='Create a key').click()
        page.get_by_label('Name').fill('pusher')
        page.get_by_role('checkbox', name='read', exact=False).first.uncheck()
        page.get_by_label('ingest').check()
        page.get_by_role('button', name='Create the key').click()
        answer = json.loads(shell(page.locator('#new-push').inner_text()))
        self.assertIn('create_application', [operation['operation'] for operation in answer['operations']])
        self.assertEqual(page.locator('#new-curl').count(), 0)

    def test_what_is_shown_is_copied_where_the_browser_has_no_clipboard_for_pages(self):
        page = self.sign_in()
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {get: () => undefined})")
        page.goto('/docs')
        code = page.get_by_label('With curl', exact=True)
        self.copy(page, 'Copy the request with curl')
        other = self.sign_in()
        other.context.grant_permissions(['clipboard-read'], origin=self.program.operator)
        self.assertEqual(other.evaluate('navigator.clipboard.readText()'), code.inner_text())

    def test_the_quick_start_runs_as_it_stands(self):
        page = self.sign_in()
        page.goto('/docs')
        ids = [record['id'] for record in self.program.api('/api/v1/candidates?limit=1000', self.program.key)[1]['data']]
        self.assertGreater(len(ids), 3)
        for label, command in [('In Python', ['python3', '-c']), ('In JavaScript', ['node', '-e'])]:
            code = page.get_by_label(label, exact=True).inner_text()
            # In smaller pages, so that there are several.
            printed = run([*command, code.replace('limit=100', 'limit=7')], self.program.key).split('\n')
            self.assertEqual([line.split(' ')[0] for line in printed if line], ids, label)
        listed = json.loads(shell(page.get_by_label('With curl', exact=True).inner_text(), self.program.key))
        self.assertEqual({record['status'] for record in listed['data']}, {'interviewing'})
        events = json.loads(shell(page.get_by_label('Events with curl').inner_text(), self.program.key))
        self.assertGreater(len(events['data']), 0)

    def test_an_endpoint_is_added_tested_rotated_and_sent_to_again(self):
        page = self.sign_in()
        endpoint, secret = self.add_endpoint(page)

        # when a test is sent
        page.get_by_role('button', name='Send a test').click()
        page.get_by_text('answered 200').first.wait_for()

        # then the receiver verifies it, and the page shows the answer as text
        self.assertTrue(Receiver.verifies(self.receiver.requests[0], secret))
        self.assertIn(MARKUP, page.locator('pre.response').inner_text())
        self.assertIn(MARKUP, page.get_by_label('Headers answered to attempt 1').inner_text())
        self.assertIsNone(page.evaluate('window.broken ?? null'))
        delivery = page.url.split('?')[0].split('/')[-1]
        page.goto(f'/webhooks/{endpoint}')
        self.assertIn('healthy', page.locator('.head .badge').inner_text())
        self.assertIn(delivery, page.locator('table.deliveries').inner_text())
        self.assertNotIn(secret, page.content())

        # when it is sent again
        page.goto(f'/deliveries/{delivery}')
        page.get_by_role('button', name='Send it again').click()
        page.get_by_text('Attempt 2').wait_for()
        self.assertEqual(self.receiver.requests[0][1], self.receiver.requests[1][1])

        # when the secret changes
        page.goto(f'/webhooks/{endpoint}')
        page.get_by_role('link', name='New secret').click()
        page.get_by_label('The old secret stops').select_option('at once')
        page.get_by_role('button', name='Change the secret').click()
        rotated = page.locator('#new-secret').inner_text()
        page.get_by_role('button', name='Send a test').click()
        page.get_by_text('answered 200').first.wait_for()
        self.assertTrue(Receiver.verifies(self.receiver.requests[-1], rotated))
        self.assertFalse(Receiver.verifies(self.receiver.requests[-1], secret))

        # when it is edited, paused and removed
        page.goto(f'/webhooks/{endpoint}/edit')
        page.get_by_label('All that').uncheck()
        page.get_by_label('candidate.created', exact=True).check()
        page.locator('summary', has_text='Job, attempts').click()
        page.get_by_label('Attempts in all').fill('0')
        page.get_by_role('button', name='Save').click()
        self.assertIn('Attempts is 1 to 100', page.locator('#faults').inner_text())
        page.get_by_label('Attempts in all').fill('3')
        page.get_by_role('button', name='Save').click()
        page.get_by_text('Saved.').wait_for()
        self.assertIn('candidate.created', page.locator('.facts').inner_text())
        page.get_by_role('button', name='Pause').click()
        page.get_by_text('paused by the operator').wait_for()
        page.get_by_role('button', name='Enable').click()
        page.get_by_role('link', name='Remove').click()
        page.get_by_role('button', name='Remove the endpoint').click()
        page.get_by_text('The endpoint is removed').wait_for()

    def test_a_range_is_replayed_and_the_log_is_filtered(self):
        page = self.sign_in()
        endpoint, _ = self.add_endpoint(page)
        self.program.import_records('candidates', *({'external_id': f'replayed-{number}', 'full_name': f'Person {number}'} for number in range(30)))
        # A delivery has arrived once that is recorded, which comes after the receiver's answer.
        arrived = ['webhooks', 'deliveries', '--endpoint', endpoint, '--status', 'succeeded', '--limit', '100']
        wait_until(lambda: len(self.program.command(*arrived)) == 30, what='the deliveries', seconds=30)
        self.receiver.requests.clear()

        # when
        page.goto(f'/webhooks/{endpoint}/replay')
        page.get_by_label('What').select_option('what had arrived')
        page.get_by_label('Events from').fill('1h')
        page.get_by_role('button', name='Replay').click()

        # then
        page.get_by_text('Done.').wait_for()
        wait_until(lambda: len(self.receiver.requests) >= 30, what='the replay')
        page.get_by_role('link', name='See the deliveries').click()
        page.get_by_label('Status').select_option('succeeded')
        page.get_by_label('Event', exact=True).select_option('candidate.created')
        page.get_by_role('button', name='Filter').click()
        wait_until(lambda: page.goto(page.url) and page.locator('tbody tr').count() == 30, what='the whole list')
        page.get_by_label('Status').select_option('failed')
        page.get_by_role('button', name='Filter').click()
        page.get_by_text('No deliveries that fit').wait_for()

        # and events came in on the page of those that happen
        page.goto('/events')
        page.locator('[data-follow]:visible').wait_for()
        self.program.import_records('candidates', {'external_id': 'live-1', 'full_name': 'Comes Live'})
        page.locator('tr.new', has_text='Comes Live').wait_for()
        wait_until(lambda: len(self.program.command(*arrived)) == 31, what='the last delivery', seconds=30)
        self.program.command('webhooks', 'remove', endpoint)

    def test_a_list_has_the_filters_of_the_api_and_the_call_that_gives_the_same(self):
        page = self.sign_in()
        page.goto('/data/candidates')
        page.get_by_label('status').select_option('interviewing')
        page.get_by_label('search').fill('engineer')
        page.get_by_role('button', name='Filter').click()
        page.wait_for_url('**/data/candidates?*interviewing*')
        shown = page.locator('tbody a.main').evaluate_all('links => links.map(link => link.href.split("/").pop())')
        curl = page.get_by_label('A request with curl').inner_text()
        path = curl.split("'")[1].removeprefix(self.program.public)
        status, answer = self.program.api(path, self.program.key)
        self.assertEqual(status, 200)
        self.assertTrue(shown)
        self.assertEqual(shown, [record['id'] for record in answer['data']])
        page.goto('/data/candidates?min_experience=many')
        self.assertIn('is a number', page.locator('#faults').inner_text())
        for kind in ['jobs', 'applications', 'interviews', 'matches', 'calls']:
            page.goto(f'/data/{kind}')
            self.assertGreater(page.locator('tbody a.main').count(), 0, kind)
            page.locator('tbody a.main').first.click()
            page.locator('.facts').wait_for()

    def test_a_name_full_of_markup_is_shown_as_text(self):
        self.program.import_records('candidates', {'external_id': 'markup', 'full_name': MARKUP, 'headline': '"\u0301 onfocus=x <b>', 'custom': {MARKUP: MARKUP}})
        page = self.sign_in()
        for path in ['/data/candidates?sort=-updated_at', '/events', '/']:
            page.goto(path)
            self.assertIn('<script>window.broken', page.locator('main').inner_text(), path)
            self.assertEqual(page.locator('main script, main img').count(), 0)
        page.goto('/data/candidates?sort=-updated_at')
        page.locator('tbody a.main').first.click()
        page.get_by_role('heading', name='<script>').wait_for()
        self.assertEqual(page.locator('[onerror], [onfocus], main script').count(), 0)
        self.assertIsNone(page.evaluate('window.broken ?? null'))

    def test_an_organization_is_added_and_what_is_another_s_is_not_there(self):
        page = self.sign_in()
        endpoint, _ = self.add_endpoint(page)
        page.goto('/organizations')
        page.locator('summary', has_text='Add an organization').click()
        page.get_by_label('Name').fill('Acme')
        page.get_by_role('button', name='Add it').click()
        page.get_by_label('Display name').fill('Acme Ltd')
        page.get_by_label('Match threshold').fill('200')
        page.get_by_role('button', name='Save').click()
        self.assertIn('0 to 100', page.locator('#faults').inner_text())
        page.get_by_label('Match threshold').fill('80')
        page.get_by_role('button', name='Save').click()
        page.get_by_text('Saved.').wait_for()
        for path in ['/webhooks', '/data/candidates', '/keys']:
            page.goto(path)
            self.assertIn('No', page.locator('tr.none').inner_text())
        self.assertEqual(page.goto(f'/webhooks/{endpoint}').status, 404)
        page.goto('/webhooks')
        page.get_by_label('Organization').select_option('default')
        page.get_by_role('link', name=self.receiver.url).wait_for()
        self.program.command('webhooks', 'remove', endpoint)


if __name__ == '__main__':
    unittest.main()
