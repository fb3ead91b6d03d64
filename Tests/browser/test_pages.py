"""Every page: without scripts, judged by axe in light and dark, within a phone's width.

HIREWIRE_SCREENSHOTS=folder keeps a picture of each in light, in dark and at 390 px."""

import os
import pathlib
import unittest

from axe_playwright_python.sync_playwright import Axe

from browsing import Browsing
from program import MARKUP, wait_until


class Pages(Browsing):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program = cls.program
        program.import_records('candidates', {'external_id': 'markup', 'full_name': MARKUP})
        program.command('organizations', 'add', 'A second company with quite a long name')
        for status in (200, 500):
            endpoint, = program.command('webhooks', 'add', '--url', cls.receiver.url + f'?answers={status}', '--schedule', '1s,1h')
            if status == 500:
                cls.failing = endpoint['id']
            else:
                cls.endpoint = endpoint['id']
                program.command('webhooks', 'test', cls.endpoint, '--wait')
        test, = program.command('webhooks', 'deliveries', '--endpoint', cls.endpoint)
        cls.delivery = test['id']
        program.import_records('jobs', {'external_id': 'pages-1', 'title': 'Page turner', 'status': 'open'}, {'external_id': 'pages-2', 'title': 'Old', 'status': 'draft'})
        program.import_records('candidates', {'external_id': 'pages-3', 'full_name': 'Nele Nachher'})
        paused, = program.command('webhooks', 'add', '--url', 'https://paused.example/hook', '--dialect', 'tenzo')
        program.command('webhooks', 'disable', paused['id'])
        program.command('keys', 'create', '--name', 'soon over', '--expires', '3d')
        for path in ['/api/v1/candidates?limit=5'] * 9 + ['/api/v1/nothing', '/api/v1/jobs?status=wrong']:
            program.api(path, program.key)
        wait_until(lambda: program.command('webhooks', 'show', cls.failing)[0]['failing_since'], what='the failure')

    def addresses(self):
        """Every kind of page, by a name for its picture."""
        first = {kind: self.program.api(f'/api/v1/{kind}?limit=1', self.program.key)[1]['data'][0]['id']
                 for kind in ['candidates', 'jobs', 'interviews', 'matches', 'events']}
        key = self.program.command('keys', 'list')[0]['key_id']
        organization = self.program.command('organizations', 'list')[0]['id']
        return {
            'overview': '/', 'overview-day': '/?over=day', 'keys': '/keys', 'key-revoke': f'/keys/{key}/revoke', 'key-rotate': f'/keys/{key}/rotate',
            'endpoints': '/webhooks', 'endpoint-new': '/webhooks/new', 'endpoint-new-tenzo': '/webhooks/new?dialect=tenzo',
            'endpoint': f'/webhooks/{self.endpoint}', 'endpoint-failing': f'/webhooks/{self.failing}', 'endpoint-edit': f'/webhooks/{self.endpoint}/edit',
            'endpoint-secret': f'/webhooks/{self.endpoint}/secret', 'endpoint-replay': f'/webhooks/{self.endpoint}/replay',
            'endpoint-remove': f'/webhooks/{self.endpoint}/remove', 'deliveries': '/deliveries', 'deliveries-wrong': '/deliveries?since=tomorrowish',
            'delivery': f'/deliveries/{self.delivery}', 'events': '/events', 'event': f"/events/{first['events']}",
            'candidates': '/data/candidates', 'candidates-wrong': '/data/candidates?min_experience=x', 'candidate': f"/data/candidates/{first['candidates']}",
            'jobs': '/data/jobs', 'job': f"/data/jobs/{first['jobs']}", 'applications': '/data/applications', 'interviews': '/data/interviews',
            'interview': f"/data/interviews/{first['interviews']}", 'matches': '/data/matches', 'match': f"/data/matches/{first['matches']}",
            'calls': '/data/calls', 'organizations': '/organizations', 'organization': f'/organizations/{organization}', 'docs': '/docs',
            'missing': '/data/jobs/job_00000000000000000000000000', 'unknown': '/no-such-page', 'events-wrong': '/events?type=none',
            'replayed': f'/webhooks/{self.endpoint}/replay?run=x&restarted=3&added=4&parked=1&begin=1&cursor=',
        }

    def test_every_page_is_whole_without_scripts(self):
        page = self.sign_in(scripts=False)
        for name, path in self.addresses().items():
            with self.subTest(name):
                page.goto(path)
                self.assertEqual(page.locator('h1').count(), 1)
                self.assertGreater(len(page.locator('main').inner_text()), 20)
                self.assertNotIn('{{', page.content())
        # What is done by forms is done without scripts.
        page.goto('/keys')
        page.locator('summary', has_text='Create a key').click()
        page.get_by_label('Name').fill('without scripts')
        page.get_by_role('button', name='Create the key').click()
        self.assertEqual(self.program.api('/api/v1/key', page.locator('#new-key').inner_text())[0], 200)
        page.goto(f'/webhooks/{self.endpoint}')
        page.get_by_role('button', name='Send a test').click()
        # A page that is still on its way can't be loaded again.
        page.wait_for_url('**/deliveries/*')
        wait_until(lambda: page.goto(page.url) and page.get_by_text('answered 200').count(), what='the answer')
        page.goto('/deliveries')
        page.get_by_label('Status').select_option('succeeded')
        page.get_by_role('button', name='Filter').click()
        self.assertIn('status=succeeded', page.url)
        page.get_by_label('Organization').select_option('A second company with quite a long name')
        page.get_by_role('button', name='Switch').click()
        page.locator('tr.none').wait_for()
        page.get_by_role('button', name='Sign out').click()
        page.goto('/keys')
        page.get_by_label('Operator').wait_for()

    def test_the_overview_tells_the_oldest_that_has_not_arrived(self):
        page = self.sign_in()
        tile = page.locator('.tiles > div', has_text='Oldest undelivered')
        # Its next attempt is in an hour: it is not overdue, and has not arrived.
        self.assertNotIn('none\n', tile.inner_text())
        self.assertIn('none is overdue', tile.inner_text())
        self.assertRegex(page.locator('.attention').inner_text(), r'has had nothing but failures for \d+ (s|min)\.')
        self.assertRegex(page.locator('.attention').inner_text(), r'paused.example/hook was paused \d+ (s|min) ago: ')
        page.goto(f'/webhooks/{self.failing}')
        self.assertIn('1s, 1h, then the last again', page.locator('.facts').inner_text())
        self.assertNotIn('Endpoint', page.locator('thead').inner_text())
        page.goto('/')
        self.assertIn('of all organizations', page.get_by_role('heading', name='Traffic').inner_text())

    def test_axe_finds_no_serious_fault_in_light_and_dark(self):
        axe = Axe()
        addresses = self.addresses()
        for dark in (False, True):
            page = self.browse(dark=dark)
            page.goto('/')
            self.judge(axe, page, 'sign-in', dark)
            page = self.sign_in(dark=dark)
            for name, path in addresses.items():
                page.goto(path)
                self.judge(axe, page, name, dark)
            # What is shown once is no page of its own.
            self.make_key(page, 'judged by axe')
            self.judge(axe, page, 'key-new', dark)
            page.reload()
            self.judge(axe, page, 'key-new-again', dark)
            _, secret = self.add_endpoint(page)
            self.judge(axe, page, 'endpoint-added', dark)

    def judge(self, axe, page, name, dark):
        response = axe.run(page).response
        self.assertGreater(len(response['passes']), 10, 'axe has looked')
        found = response['violations']
        serious = [f"{fault['id']}: {fault['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
                   for fault in found if fault['impact'] in ('serious', 'critical') for node in fault['nodes']]
        with self.subTest(f"{name} {'dark' if dark else 'light'}"):
            self.assertEqual(serious, [])
        self.picture(page, name, 'dark' if dark else 'light')

    def make_key(self, page, name):
        """Leads to the page that shows it."""
        page.goto('/keys')
        page.locator('summary', has_text='Create a key').click()
        page.get_by_label('Name').fill(name)
        page.get_by_label('ingest').check()
        page.get_by_role('button', name='Create the key').click()
        page.locator('#new-key').wait_for()

    def test_what_a_field_asks_for_is_whole_and_an_id_on_one_line(self):
        cut = """[...document.querySelectorAll('main input[placeholder]')].filter(field => {
            const [pen, look] = [document.createElement('canvas').getContext('2d'), getComputedStyle(field)];
            pen.font = look.font;
            return pen.measureText(field.placeholder).width > field.clientWidth - parseFloat(look.paddingLeft) - parseFloat(look.paddingRight);
        }).map(field => field.name)"""
        broken = """[...document.querySelectorAll('tbody th code.id')].filter(id => id.getClientRects().length
            && id.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(id).fontSize)).map(id => id.textContent)"""
        for width in (390, 1280, 1024):
            page = self.sign_in(width=width)
            for name, path in self.addresses().items():
                page.goto(path)
                with self.subTest(f'{name} at {width} px'):
                    self.assertEqual(page.evaluate(cut), [])
                    self.assertEqual(page.evaluate(broken), [])

    def test_nothing_is_wider_than_a_phone(self):
        page = self.browse(width=390, height=844)
        page.goto('/')
        self.picture(page, 'sign-in', 'phone')
        page = self.sign_in(width=390, height=844)
        for name, path in self.addresses().items():
            page.goto(path)
            self.picture(page, name, 'phone')
            with self.subTest(name):
                self.assertLessEqual(page.evaluate('document.documentElement.scrollWidth'), 390)
        for name, make in [('key-new', lambda: self.make_key(page, 'on a phone')), ('endpoint-added', lambda: self.add_endpoint(page))]:
            make()
            self.picture(page, name, 'phone')
            self.assertLessEqual(page.evaluate('document.documentElement.scrollWidth'), 390, name)
            page.reload()
            self.picture(page, name + '-again', 'phone')
            self.assertLessEqual(page.evaluate('document.documentElement.scrollWidth'), 390, name)

    def test_the_keyboard_reaches_the_content_and_sees_where_it_is(self):
        page = self.sign_in()
        page.goto('/keys')
        page.keyboard.press('Tab')
        self.assertEqual(page.evaluate('document.activeElement.textContent'), 'Skip to the content')
        page.keyboard.press('Enter')
        self.assertEqual(page.evaluate('document.activeElement.id'), 'main')
        page.keyboard.press('Tab')
        self.assertEqual(page.evaluate('document.activeElement.tagName'), 'SUMMARY')
        self.assertEqual(page.evaluate("getComputedStyle(document.activeElement).outlineStyle"), 'solid')

    def picture(self, page, name, look):
        folder = os.environ.get('HIREWIRE_SCREENSHOTS')
        if folder:
            pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=os.path.join(folder, f'{name}-{look}.png'), full_page=True)


if __name__ == '__main__':
    unittest.main()
